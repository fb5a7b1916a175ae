/** Vite replaces such an import by the address of the file. */
declare module "*.json?url" {
  const url: string;
  export default url;
}
