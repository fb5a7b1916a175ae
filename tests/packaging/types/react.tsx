import { type SessionState, useSession } from "saltmine/react";

export function Widget(): React.JSX.Element {
  const state: SessionState = useSession({
    baseUrl: "https://api.example.com",
    appId: "app_1",
    origin: undefined,
  });
  return <button onClick={state.retry}>{state.session?.userId ?? state.error?.code}</button>;
}
