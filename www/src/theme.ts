/** The button between light and dark. public/theme.js has applied the remembered choice before the first paint. */
import { part } from "./page.js";

const KEY = "saltmine_demo_theme";

export function startTheme(): void {
  const root = document.documentElement;
  const button = part<HTMLButtonElement>("theme-toggle");
  const system = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : system.matches);
  const label = () => {
    const text = `Switch to the ${isDark() ? "light" : "dark"} theme`;
    button.setAttribute("aria-label", text);
    button.title = text;
  };
  button.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    label();
    try {
      localStorage.setItem(KEY, root.dataset.theme);
    } catch {
      // Storage is blocked: the choice lasts as long as the page.
    }
  });
  system.addEventListener("change", label);
  label();
}
