export default { vite: { optimizeDeps: { exclude: ["saltmine"] } } };
