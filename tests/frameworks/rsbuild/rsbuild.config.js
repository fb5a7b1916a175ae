export default {
  source: { entry: { index: "./main.js" } },
  html: { tags: [{ tag: "link", attrs: { rel: "icon", href: "data:," } }] },
};
