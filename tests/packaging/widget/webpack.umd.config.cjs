module.exports = {
  mode: "production",
  entry: "./widget.js",
  output: { filename: "widget.umd.js", library: { name: "widget", type: "umd" } },
};
