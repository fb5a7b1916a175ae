import { defineConfig } from "vite";

export default defineConfig({
  build: {
    lib: {
      entry: "widget.js",
      name: "widget",
      formats: ["iife", "umd"],
      fileName: (format) => `widget.${format}.js`,
    },
  },
});
