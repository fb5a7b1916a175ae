"use client";

import { useEffect, useState } from "react";
import { useSession } from "saltmine/react";

function Session({ baseUrl }) {
  const { session, error } = useSession({
    baseUrl,
    appId: "app_demo000000000000",
    onEvent: (event) => {
      if (event.type === "ready") globalThis.outcome = { token: event.session.token, backend: event.backend };
    },
  });
  if (error) globalThis.outcome = { code: error.code, message: error.message };
  return <p>{session?.userId ?? error?.message ?? "…"}</p>;
}

export function Widget() {
  const [baseUrl, setBaseUrl] = useState();
  useEffect(() => setBaseUrl(new URLSearchParams(location.search).get("api")), []);
  return baseUrl ? <Session baseUrl={baseUrl} /> : <p>…</p>;
}
