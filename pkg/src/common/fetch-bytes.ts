/**
 * Returns the bytes of a wasm file. Not streamed: that needs the media type application/wasm, which not every server sends,
 * and saves nothing at 30 KB.
 */
export async function fetchBytes(url: string | URL): Promise<ArrayBuffer> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  return response.arrayBuffer();
}
