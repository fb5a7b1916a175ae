// Runs before the first paint, so that a remembered theme never flashes. A file of its own for the sake of
// content security policies without inline scripts.
try {
  const theme = localStorage.getItem("saltmine_demo_theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // Storage is blocked: the system's theme it is.
}
