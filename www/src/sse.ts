/** Server-sent events (WHATWG HTML, section 9.2) read from a response: `EventSource` itself cannot POST. */

/** The data of each event, as it arrives. An event that the stream's end cuts off is dropped, as the standard asks. */
export async function* readEvents(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  let data: string[] = [];
  try {
    for (;;) {
      const { value, done } = await reader.read();
      rest += decoder.decode(value, { stream: !done });
      // A CR at the very end may be the first half of a line break.
      const end = !done && rest.endsWith("\r") ? rest.length - 1 : rest.length;
      const lines = rest.slice(0, end).split(/\r\n|\n|\r/);
      rest = `${lines.pop()}${rest.slice(end)}`;
      for (const line of lines) {
        if (line === "") {
          if (data.length > 0) yield data.join("\n");
          data = [];
        } else if (line === "data" || line.startsWith("data:")) {
          data.push(line.slice(5).replace(/^ /, ""));
        }
      }
      if (done) return;
    }
  } finally {
    // The request ends when the consumer stops reading.
    reader.cancel().catch(() => {});
  }
}
