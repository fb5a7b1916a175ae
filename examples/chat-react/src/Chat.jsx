import { useEffect, useRef, useState } from "react";
import { createChat } from "./chat.js";

export function Chat() {
  const chat = useRef(undefined);
  const answering = useRef(undefined);
  const [messages, setMessages] = useState([]);
  const [isAnswering, setIsAnswering] = useState(false);
  const [error, setError] = useState("");

  useEffect(() => {
    chat.current = createChat();
    return () => chat.current.dispose();
  }, []);

  async function send(event) {
    event.preventDefault();
    if (answering.current) return answering.current.abort();
    const form = event.currentTarget;
    const text = new FormData(form).get("message");
    form.reset();
    const { signal } = (answering.current = new AbortController());
    setIsAnswering(true);
    setError("");
    let answer = "";
    const shown = [...messages, { role: "user", text }];
    setMessages(shown);
    try {
      for await (const piece of chat.current.ask(text, signal)) {
        answer += piece;
        setMessages([...shown, { role: "assistant", text: answer }]);
      }
    } catch (error) {
      if (!signal.aborted) setError(error.message);
    } finally {
      answering.current = undefined;
      setIsAnswering(false);
    }
  }

  return (
    <section className="chat" aria-label="Chat">
      <ol aria-live="polite">
        {messages.map(({ role, text }, index) => (
          <li key={index} data-role={role}>
            {text}
          </li>
        ))}
      </ol>
      {error && <p role="alert">{error}</p>}
      <form onSubmit={send}>
        <input
          name="message"
          aria-label="Message"
          autoComplete="off"
          required={!isAnswering}
          onFocus={() => chat.current.prefetch()}
        />
        <button>{isAnswering ? "Stop" : "Send"}</button>
      </form>
    </section>
  );
}
