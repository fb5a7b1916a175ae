import { createClient } from "saltmine/inline";

export default {
  async fetch(request) {
    let backend;
    const client = createClient({
      baseUrl: new URL(request.url).searchParams.get("api"),
      appId: "app_demo000000000000",
      origin: "http://127.0.0.1",
      storage: "memory",
      onEvent: (event) => {
        if (event.type === "ready") backend = event.backend;
      },
    });
    try {
      const { token } = await client.session();
      return Response.json({ token, backend });
    } catch ({ code, message }) {
      return Response.json({ code, message });
    } finally {
      client.dispose();
    }
  },
};
