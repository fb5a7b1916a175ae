//! The test files for Node's test runner, and which of them need Chromium.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::process::root;

/// The file that starts Chromium. A test file that imports it, directly or through others, needs the browser.
const CHROMIUM_SUPPORT: &str = "tests/support/browser.mjs";

/// The files `tests/**/*.{kind}.mjs`.
pub(crate) struct TestFiles {
    /// Those that can run.
    pub(crate) run: Vec<PathBuf>,
    /// Those that need the browser that this machine does not have.
    pub(crate) skipped: Vec<PathBuf>,
}

/// Finds the test files of a kind.
pub(crate) fn find(kind: &str, has_chromium: bool) -> Result<TestFiles> {
    let root = root();
    let mut files = Vec::new();
    collect(&root.join("tests"), &format!(".{kind}.mjs"), &mut files)?;
    files.sort();
    let support = root.join(CHROMIUM_SUPPORT);
    // Otherwise a file that is moved would turn every test into one that needs no browser.
    fs::metadata(&support).with_context(|| format!("{CHROMIUM_SUPPORT} is missing"))?;
    let (mut run, mut skipped) = (Vec::new(), Vec::new());
    for file in files {
        let needs_chromium = !has_chromium && imports(&file)?.contains(&support);
        if needs_chromium { &mut skipped } else { &mut run }.push(file);
    }
    Ok(TestFiles { run, skipped })
}

fn collect(folder: &Path, suffix: &str, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() && !path.ends_with("node_modules") {
            collect(&path, suffix, files)?;
        } else if path.to_string_lossy().ends_with(suffix) {
            files.push(path);
        }
    }
    Ok(())
}

/// The module and all modules that it imports by relative paths, statically, directly or not.
fn imports(module: &Path) -> Result<BTreeSet<PathBuf>> {
    let mut found = BTreeSet::new();
    let mut left = vec![module.to_path_buf()];
    while let Some(module) = left.pop() {
        if module.extension().is_some_and(|extension| extension == "mjs") && found.insert(module.clone()) {
            let source = fs::read_to_string(&module)
                .with_context(|| format!("{} cannot be read", module.display()))?;
            let folder = module.parent().unwrap_or(Path::new(""));
            left.extend(specifiers(&source).map(|specifier| normalize(&folder.join(specifier))));
        }
    }
    Ok(found)
}

/// The relative specifiers of a module's `import … from "…"`, `export … from "…"` and `import "…"`, as Prettier writes
/// them: a statement begins its line, and its last line ends with the specifier.
fn specifiers(source: &str) -> impl Iterator<Item = &str> {
    source.lines().filter_map(|line| {
        let line = line.strip_suffix("\";")?;
        let (before, specifier) = line.rsplit_once('"')?;
        let is_import = before == "import "
            || before == "} from "
            || ((before.starts_with("import ") || before.starts_with("export "))
                && before.ends_with(" from "));
        (is_import && specifier.starts_with('.')).then_some(specifier)
    })
}

/// Resolves `.` and `..` without asking the file system.
fn normalize(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => {
                normal.pop();
            }
            Component::CurDir => {}
            other => normal.push(other),
        }
    }
    normal
}

#[cfg(test)]
mod tests {
    use super::{find, normalize, specifiers};
    use crate::process::root;
    use std::path::Path;

    #[test]
    fn relative_imports_are_found() {
        let source = "import a from \"./a.mjs\";\nimport { b } from \"../b.mjs\";\nimport {\n  c,\n} from \"./c.mjs\";\n\
            import \"./d.mjs\";\nexport { e } from \"./e.mjs\";\nimport { test } from \"node:test\";\n\
            const f = await import(\"./f.mjs\");\nconst text = \"./g.mjs\";\n";
        assert_eq!(
            specifiers(source).collect::<Vec<_>>(),
            ["./a.mjs", "../b.mjs", "./c.mjs", "./d.mjs", "./e.mjs"],
            "neither packages nor dynamic imports nor other texts"
        );
    }

    #[test]
    fn paths_are_normalized() {
        assert_eq!(normalize(Path::new("/a/b/./../c.mjs")), Path::new("/a/c.mjs"));
    }

    #[test]
    fn without_chromium_only_the_tests_that_need_it_are_left_out() {
        let every = find("test", true).unwrap();
        assert!(every.skipped.is_empty());
        let browserless = find("test", false).unwrap();
        let has = |files: &[_], name: &str| files.contains(&root().join(name));
        // One that imports the file itself, one that imports it through another, and one that needs none.
        assert!(has(&browserless.skipped, "tests/e2e/demo.test.mjs"));
        assert!(has(&browserless.skipped, "tests/client/tabs.test.mjs"));
        assert!(has(&browserless.run, "tests/client/session.test.mjs"));
        assert_eq!(every.run.len(), browserless.run.len() + browserless.skipped.len());
    }
}
