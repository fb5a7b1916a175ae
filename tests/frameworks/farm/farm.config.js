export default { compilation: { persistentCache: false } };
