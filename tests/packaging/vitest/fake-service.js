/** The service as a `fetch`, without proof of work, with one visitor. `answer` returns the body of other responses. */
export function fakeService(answer) {
  const claims = { sub: "anon_test", iat: Math.floor(Date.now() / 1000) };
  const token = `e30.${btoa(JSON.stringify(claims))}.`;
  return async (input, init) => {
    const request = new Request(input, init);
    if (/\/run\/auth\/(pow\/)?challenge/.test(request.url)) return new Response("{}", { status: 404 });
    if (request.url.endsWith("/anonymous-session")) {
      return Response.json({ token, expiresAt: new Date(Date.now() + 3_600_000).toISOString() });
    }
    return Response.json(answer(await request.json()));
  };
}
