import { ERROR_CODES } from "saltmine";
import { Widget } from "./widget.js";

/** A component of the server: it imports the package, and starts nothing. */
export default function Page() {
  return (
    <main data-codes={ERROR_CODES.length}>
      <Widget />
    </main>
  );
}
