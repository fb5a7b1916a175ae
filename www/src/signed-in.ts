/**
 * A signed-in user of the demo. In production the backend of the page's owner signs the token; here the page does, with a
 * key pair that it makes and whose public half it gives to the development server (`npm start`).
 */

/** Where a development server takes the key. No other server has this route. */
const KEYS = "/development/demo-keys";

const LIFETIME_SECONDS = 3600;

export const USER = { sub: "ada@example.com", name: "Ada", plan: "team" };

/** Signs tokens for one user. */
export type Signer = () => Promise<string>;

/** Makes a key pair and gives its public half to the server. Throws if the server takes none. */
export async function makeSigner(baseUrl: string): Promise<Signer> {
  const algorithm = { name: "ECDSA", namedCurve: "P-256" };
  const pair = await crypto.subtle.generateKey(algorithm, false, ["sign", "verify"]);
  const publicKey = toPem(await crypto.subtle.exportKey("spki", pair.publicKey));
  const response = await fetch(baseUrl + KEYS, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ publicKey, algorithm: "ES256" }),
  });
  // 405 where the server has the page's files, which take no POST.
  if (response.status === 404 || response.status === 405)
    throw new Error("This server accepts no keys from a page: run npm start.");
  if (!response.ok) throw new Error(`The server refused the page's key with status ${response.status}.`);
  const { data } = (await response.json()) as { data: { kid: string } };
  return () => sign(pair.privateKey, data.kid);
}

async function sign(key: CryptoKey, kid: string): Promise<string> {
  const iat = Math.floor(Date.now() / 1000);
  const header = { alg: "ES256", kid, typ: "JWT" };
  const message = `${part(header)}.${part({ ...USER, iat, exp: iat + LIFETIME_SECONDS })}`;
  const bytes = new TextEncoder().encode(message);
  const signature = await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, key, bytes);
  return `${message}.${base64Url(new Uint8Array(signature))}`;
}

const part = (value: unknown): string => base64Url(new TextEncoder().encode(JSON.stringify(value)));

const base64 = (bytes: Uint8Array): string => btoa(String.fromCharCode(...bytes));

const base64Url = (bytes: Uint8Array): string =>
  base64(bytes).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

function toPem(der: ArrayBuffer): string {
  const lines = base64(new Uint8Array(der)).match(/.{1,64}/g) ?? [];
  return ["-----BEGIN PUBLIC KEY-----", ...lines, "-----END PUBLIC KEY-----", ""].join("\n");
}
