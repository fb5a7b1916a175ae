globalThis.saltmine1 = saltmine;
