import { createChat } from "./chat.js";
import "./style.css";

const chat = createChat();
const [log, alert, form] = document.querySelectorAll(".chat > *");
const [input, button] = form.elements;
/** Ends the answer that is being received. */
let answering;

// The session is there before the visitor has written the first message.
input.addEventListener("focus", () => chat.prefetch(), { once: true });

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (answering) return answering.abort();
  const text = input.value;
  form.reset();
  addMessage("user", text);
  const answer = addMessage("assistant", "");
  answering = new AbortController();
  const { signal } = answering;
  button.textContent = "Stop";
  input.required = false;
  alert.hidden = true;
  try {
    for await (const piece of chat.ask(text, signal)) answer.append(piece);
  } catch (error) {
    if (!signal.aborted) {
      alert.textContent = error.message;
      alert.hidden = false;
    }
    if (answer.textContent === "") answer.remove();
  } finally {
    answering = undefined;
    button.textContent = "Send";
    input.required = true;
  }
});

function addMessage(role, text) {
  const item = document.createElement("li");
  item.dataset.role = role;
  item.textContent = text;
  log.append(item);
  item.scrollIntoView({ block: "nearest" });
  return item;
}
