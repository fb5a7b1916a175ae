/** Makes code blocks and tables that are wider than the page scrollable by keyboard, and adds copy buttons to code. */

const COPIED_MS = 2_000;

export function startCode(): void {
  const watcher = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      if (target.scrollWidth > target.clientWidth) target.setAttribute("tabindex", "0");
      else target.removeAttribute("tabindex");
    }
  });
  for (const box of document.querySelectorAll("pre, .table-box")) watcher.observe(box);

  // Pages from plain http origins have no clipboard.
  if (!navigator.clipboard) return;
  for (const block of document.querySelectorAll(".code-block")) block.append(copyButton(block));
}

function copyButton(block: Element): HTMLButtonElement {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "copy";
  button.textContent = "Copy";
  const report = (result: string) => {
    button.textContent = result;
    setTimeout(() => {
      button.textContent = "Copy";
    }, COPIED_MS);
  };
  button.addEventListener("click", () => {
    const code = block.querySelector("code")?.textContent ?? "";
    navigator.clipboard.writeText(code).then(
      () => report("Copied"),
      () => report("Not allowed"),
    );
  });
  return button;
}
