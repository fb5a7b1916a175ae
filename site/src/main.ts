/** What the pages do beside being read: they search, switch the theme, and hand out their code. */
import { startTheme } from "../../www/src/theme.js";
import { startCode } from "./code.js";
import { startSearch } from "./search.js";

startTheme();
for (const form of document.querySelectorAll<HTMLFormElement>("form.search")) startSearch(form);
startCode();
