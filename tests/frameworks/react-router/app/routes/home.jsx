import { useEffect } from "react";
import { start } from "../../start.js";

export default function Home() {
  useEffect(start, []);
  return <p>saltmine</p>;
}
