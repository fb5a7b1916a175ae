import { onMount } from "solid-js";
import { start } from "../start.js";

export default function App() {
  onMount(start);
  return <p>saltmine</p>;
}
