/** The word list of `npm run lint`. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { checkedFiles } from "../../tools/lint/files.mjs";
import { wrongBeginnings, wrongWords } from "../../tools/lint/glossary.mjs";
import { prose } from "../../tools/lint/prose.mjs";

const words = (line) => wrongWords(line).map(({ word }) => word);

describe("the glossary", () => {
  for (const [line, ...wrong] of [
    ["A door of the package, and a rung of the ladder.", "door", "rung", "ladder"],
    ["The client is told of it, and the server tells why.", "is told", "tells"],
    ["The token still holds.", "holds"],
    ["The session is over.", "is over"],
    ["The server's answer is not JSON.", "answer"],
    ["It works with SHA-256 alone.", "alone"],
    ["A file of SQLite and a project of Vite.", "file of SQLite", "project of Vite"],
    ["Each request costs a solution.", "costs a solution"],
    ["A member is missing, wrong or over a limit.", "wrong or over"],
    ["The page is not told.", "not told"],
  ]) {
    test(`rejects: ${line}`, () => assert.deepEqual(words(line), wrong));
  }

  for (const line of [
    "The agent's answer to a question.",
    "The tab that holds the lock.",
    "A budget is set with room for a bug fix.",
    "The way in which it works.",
    "An instance renews its leases in Redis.",
    "The value is over the limit, or is over 300 kB.",
    "NaN stands for an absent header.",
    "The indoor payload holds a worthless doorway.",
  ]) {
    test(`allows: ${line}`, () => assert.deepEqual(words(line), []));
  }
});

describe("the beginning of a sentence", () => {
  const beginnings = (file, source) =>
    wrongBeginnings(prose(file, source)).map(({ number, word }) => [number, word]);

  for (const [file, source, ...wrong] of [
    ["a.rs", "/// What it takes.\nstruct A;\n// Who calls.\n", [1, "What"], [3, "Who"]],
    [
      "a.ts",
      "/**\n * Waits. What comes next is sent.\n * Of a pair, the first.\n */",
      [2, "What"],
      [3, "Of a"],
    ],
    [
      "a.md",
      "Of an app, the id.\n\n- Whoever asks.\n1. What is sent.",
      [1, "Of an"],
      [3, "Whoever"],
      [4, "What"],
    ],
  ]) {
    test(`is not a stand-in for a noun: ${JSON.stringify(source)}`, () =>
      assert.deepEqual(beginnings(file, source), wrong));
  }

  for (const [file, source] of [
    ["a.md", "# What it does\n\nReturns what it has.\n\n- Of the two, one."],
    ["a.md", "What does it\ncost? Who is that? It is sent."],
    ["a.html", "<h2>What it does</h2>\n<p>Text</p>"],
    ["a.rs", "// Returns the time, or\n// what is left of it.\n// Whatever comes is kept."],
  ]) {
    test(`may be: ${JSON.stringify(source)}`, () => assert.deepEqual(beginnings(file, source), []));
  }

  test("of a sentence after a question is checked", () =>
    assert.deepEqual(beginnings("a.md", "What is it? What it is."), [[1, "What"]]));
});

describe("the prose", () => {
  const text = (file, source) => prose(file, source).map(({ number, text }) => [number, text.trim()]);

  test("of Markdown is without code, addresses and comments", () => {
    const source = "A `door` [rung](door.md)\n```sh\ndoor\n```\n<!-- door -->\nend";
    assert.deepEqual(text("a.md", source), [
      [1, "A `code` [rung]"],
      [5, ""],
      [6, "end"],
    ]);
  });

  test("of Rust is its comments", () => {
    const source =
      '//! Module.\n/// Private.\nstruct A; // After code.\nlet url = "https://door";\n    // Inside.\n/* Block. */\n';
    assert.deepEqual(text("a.rs", source), [
      [1, "Module."],
      [2, "Private."],
      [3, "After code."],
      [5, "Inside."],
      [6, "Block."],
    ]);
  });

  test("of Rust has the texts that it shows", () => {
    const source = [
      '(status = 200, description = "One", body = Door),',
      '/// summary = "Two"',
      '#[error("{door}: \\"three\\" {}.")]',
      "#[error(",
      '    "Four \\',
      '     five."',
      ")]",
      'tracing::warn!(%error, id = key.id(door("six")), "seven");',
      'Err(door) => tracing::info!("eight"),',
      'let door = "door";',
    ].join("\n");
    assert.deepEqual(text("a.rs", source), [
      [1, "One"],
      [2, 'summary = "Two"'],
      [3, '`code`: "three" `code`.'],
      [5, "Four"],
      [6, "five."],
      [8, "six seven"],
      [9, "eight"],
    ]);
  });

  for (const extension of ["ts", "tsx", "mjs", "js", "jsx", "css", "go"])
    test(`of ${extension} is its comments without their examples`, () => {
      const source =
        "/** One. */\nexport const a = 1; // Two.\n/**\n * Three.\n * ```ts\n * door();\n * ```\n * Four.\n */\nb(); /* Five. */\n";
      assert.deepEqual(text(`a.${extension}`, source), [
        [1, "One."],
        [2, "Two."],
        [4, "Three."],
        [8, "Four."],
        [10, "Five."],
      ]);
    });

  test("of JSX has the comments between tags", () =>
    assert.deepEqual(text("a.jsx", "<p>\n  {/* One. */}\n</p>"), [[2, "One."]]));

  test("of SQL is its comments", () =>
    assert.deepEqual(text("a.sql", "-- One.\nid TEXT, -- Two.\nSELECT a--1;\n"), [
      [1, "One."],
      [2, "Two."],
    ]));

  test("of Python is its comments and the texts that document it", () =>
    assert.deepEqual(text("a.py", '"""One.\n\nTwo.\n"""\ndoor = 1  # Three.\n'), [
      [1, "One."],
      [3, "Two."],
      [5, "Three."],
    ]));

  test("of HTML is its text, its comments, and the attributes that are shown", () => {
    const source = [
      "<title>One</title>",
      '<meta name="description" content="Two" />',
      '<p class="door" aria-label="Three">',
      "  Four&nbsp;<b>five</b>.",
      "</p>",
      "<!-- Six. -->",
      "<script>",
      "  door(); // Seven.",
      "</script>",
      "<style>p { color: red } /* Eight. */</style>",
      "<h2>Nine</h2>",
    ].join("\n");
    assert.deepEqual(text("a.html", source), [
      [1, "One"],
      [2, "Two"],
      [3, "Three"],
      [4, "Four five."],
      [6, "Six."],
      [8, "Seven."],
      [10, "Eight."],
      [11, "# Nine"],
    ]);
  });

  test("of Vue and Svelte is that of HTML without expressions", () => {
    const vue =
      '<script setup>\n// One.\n</script>\n<template>\n  <p v-if="a > door" :title="door">Two {{ door }}.</p>\n</template>';
    assert.deepEqual(text("a.vue", vue), [
      [2, "One."],
      [5, "Two `code`."],
    ]);
    const svelte =
      "<script>\n  /** One. */\n</script>\n{#each doors as door}\n  <button onclick={() => door()}>Two {door}.</button>\n{/each}";
    assert.deepEqual(text("a.svelte", svelte), [
      [2, "One."],
      [4, "`code`"],
      [5, "Two `code`."],
      [6, "`code`"],
    ]);
  });

  for (const file of ["a.toml", "a.yaml", "a.yml", "a.conf", "a.env", "deploy/Dockerfile"])
    test(`of ${file} is its comments`, () =>
      assert.deepEqual(text(file, "# One.\ndoor: 1 # Two.\nurl: https://a/#door\n#Three.\n"), [
        [1, "One."],
        [2, "Two."],
        [4, "Three."],
      ]));
});

describe("the files", () => {
  const files = checkedFiles();

  for (const file of [
    "Dockerfile",
    "README.md",
    "crates/server/migrations/sqlite/0001_initial.sql",
    "deploy/example.env",
    "deploy/nginx.conf",
    "docs/client.md",
    "examples/backend-go/main.go",
    "examples/backend-python/server.py",
    "examples/chat-react/src/Chat.jsx",
    "examples/chat-svelte/src/Chat.svelte",
    "examples/chat-vue/src/Chat.vue",
    "www/index.html",
    "crates/server/Cargo.toml",
    "crates/server/tests/http/main.rs",
    "pkg/build/minify.mjs",
    "pkg/src/session/client.ts",
    "tests/faults/stage.mjs",
    "tools/lint/words.mjs",
    "wasm-pack.toml",
    "www/src/main.ts",
  ]) {
    test(`include ${file}`, () => assert.ok(files.includes(file)));
  }

  test("do not include the word list and its tests, nor files that are not the project's own", () => {
    const excluded = files.filter((file) =>
      /(^|\/)(node_modules|dist|target)\/|glossary|tests\/lint/.test(file),
    );
    assert.deepEqual(excluded, []);
  });

  test("are not hidden", () =>
    assert.deepEqual(
      files.filter((file) => /(^|\/)\.(?!github\/)/.test(file)),
      [],
    ));
});
