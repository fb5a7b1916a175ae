/** Types that depend on the libraries of the program that imports the package. */

/** A member for `using` declarations, where the program's library has `Symbol.dispose`; else nothing. */
export type DisposeMember = SymbolConstructor extends { readonly dispose: infer Dispose extends symbol }
  ? { [K in Dispose]: () => void }
  : object;
