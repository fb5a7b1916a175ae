//! What std would bring and the shipped module can do without: an allocator and a panic handler.

use lol_alloc::{AssumeSingleThreaded, FreeListAllocator};

#[global_allocator]
static ALLOCATOR: AssumeSingleThreaded<FreeListAllocator> =
    // SAFETY: the module is compiled without threads, and its memory is not shared: an instance has one thread.
    unsafe { AssumeSingleThreaded::new(FreeListAllocator::new()) };

/// A panic is a fault of ours: the trap reaches JavaScript as a `RuntimeError`, its text stays out of the module.
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}
