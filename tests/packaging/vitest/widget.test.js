import { fakeService } from "./fake-service.js";
import { showAnswer } from "./widget.js";

test("shows the answer", async () => {
  const paragraph = document.body.appendChild(document.createElement("p"));
  const fetch = fakeService((body) => ({
    choices: [{ message: { content: `You said ${body.messages[0].content}` } }],
  }));
  await showAnswer(paragraph, "Ahoy", { fetch, storage: "memory" });
  expect(document.querySelector("p").textContent).toBe("You said Ahoy");
});
