//! The corpus that is kept, once more: natively, without libFuzzer, as a part of `npm test`.

use std::fs;
use std::path::Path;

#[test]
fn every_case_of_the_corpus_still_holds() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    for (name, run) in saltmine_fuzz::TARGETS {
        let mut cases: Vec<_> = fs::read_dir(corpus.join(name))
            .unwrap_or_else(|error| panic!("corpus/{name}: {error}"))
            .map(|entry| entry.unwrap().path())
            .collect();
        cases.sort();
        assert!(!cases.is_empty(), "corpus/{name} is empty");
        for path in cases {
            let case = fs::read(&path).unwrap();
            if let Err(panic) = std::panic::catch_unwind(|| run(&case)) {
                eprintln!("fuzz/corpus/{name}/{}", path.file_name().unwrap_or_default().display());
                std::panic::resume_unwind(panic);
            }
        }
    }
}
