// Prints the import map for a copy of dist/ at /saltmine/.
import integrity from "saltmine/integrity.json" with { type: "json" };

const scripts = Object.entries(integrity.files).filter(([file]) => file.endsWith(".js"));
const hashes = scripts.map(([file, hash]) => [`/saltmine/${file}`, hash]);
const imports = { saltmine: "/saltmine/index.js" };
console.log(JSON.stringify({ imports, integrity: Object.fromEntries(hashes) }));
