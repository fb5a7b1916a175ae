/** The requests of a measurement to the server beside the load. */

/** One secret for all that needs one. */
export const SECRET = "a secret that has more than thirty-two characters";

export const ORIGIN = "https://docs.example.com";

/** The id of a new web client for `ORIGIN`. */
export async function makeApp(baseUrl) {
  const webClient = { allowedDomains: ["docs.example.com"] };
  const body = { name: "Load", type: "web_client", config: { type: "web_client", webClient } };
  const response = await fetch(`${baseUrl}/manage/tenants/default/projects/default/apps`, {
    method: "POST",
    headers: { authorization: `Bearer ${SECRET}`, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  if (response.status !== 201) throw new Error(`the app was not made: ${await response.text()}`);
  return (await response.json()).data.app.id;
}

/** Asks for a session; the status, and the body. */
export async function openSession(baseUrl, appId, solution) {
  const response = await fetch(`${baseUrl}/run/auth/apps/${appId}/anonymous-session`, {
    method: "POST",
    headers: { origin: ORIGIN, "x-inkeep-challenge-solution": solution },
  });
  return { status: response.status, body: await response.json() };
}

/** A call of the run API. */
export async function run(baseUrl, appId, token, path, body) {
  const response = await fetch(`${baseUrl}/run/${path}`, {
    method: body ? "POST" : "GET",
    headers: {
      origin: ORIGIN,
      authorization: `Bearer ${token}`,
      "x-inkeep-app-id": appId,
      ...(body && { "content-type": "application/json" }),
    },
    ...(body && { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: await response.json() };
}
