import { createClient } from "saltmine";

/** Asks for an answer and shows it. */
export async function showAnswer(element, question, options) {
  const client = createClient({ baseUrl: "https://api.example.com", appId: "app_1", ...options });
  const response = await client.fetch("/run/api/chat", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ messages: [{ role: "user", content: question }], stream: false }),
  });
  element.textContent = (await response.json()).choices[0].message.content;
  client.dispose();
}
