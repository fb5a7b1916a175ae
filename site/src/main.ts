/** The script of every page: search, theme, copy buttons. */
import { startTheme } from "../../www/src/theme.js";
import { startCode } from "./code.js";
import { startSearch } from "./search.js";

startTheme();
for (const form of document.querySelectorAll<HTMLFormElement>("form.search")) startSearch(form);
startCode();
