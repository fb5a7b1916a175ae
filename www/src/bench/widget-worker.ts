/** The `altcha` widget's own worker for PBKDF2, unchanged: it sets `onmessage`. */
import "altcha-3/workers/pbkdf2";
