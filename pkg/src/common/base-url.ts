/**
 * Returns the address that relative addresses of the page or the worker are relative to; undefined in Node. A frame by
 * `srcdoc` has no usable address of its own, but the base of the page around it.
 */
export const baseUrl = (): string | undefined => globalThis.document?.baseURI ?? globalThis.location?.href;
