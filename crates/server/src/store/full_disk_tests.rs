//! SQLite on a disk that is full for a while: its limit on the number of pages fails in the same way.

use super::{Pool, Store};
use crate::conversations::{NewMessage, Turn, TurnOutcome, Visitor};
use crate::{Message, Role};
use jiff::Timestamp;
use sqlx::{Connection, SqliteConnection};

fn turn(conversation: &str, characters: usize) -> Turn {
    let message = Message { role: Role::User, content: "x".repeat(characters) };
    Turn {
        conversation_id: conversation.to_owned(),
        agent_id: "echo".to_owned(),
        title: String::new(),
        begins: true,
        asked_at: Timestamp::UNIX_EPOCH,
        messages: vec![NewMessage { id: format!("msg_{conversation}"), spare_id: None, message }],
        at: Timestamp::from_millisecond(1_790_000_000_000).unwrap(),
    }
}

async fn limit_pages(store: &Store, pages: &str) {
    let Pool::Sqlite(writer) = &store.writer else { panic!("it is SQLite") };
    let pragma = sqlx::AssertSqlSafe(format!("PRAGMA max_page_count = {pages}"));
    sqlx::query(pragma).execute(writer).await.unwrap();
}

#[tokio::test]
async fn what_is_stored_after_a_full_disk_is_in_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("full.db").display());
    let store = Store::open(&url).await.unwrap();
    let Pool::Sqlite(writer) = &store.writer else { panic!("it is SQLite") };
    let insert = "INSERT INTO apps (id, tenant_id, project_id, name, type, enabled, config, created_at, updated_at) \
        VALUES ('app_x', 't', 'p', 'x', 'api', 1, '{}', 0, 0)";
    sqlx::query(insert).execute(writer).await.unwrap();
    let visitor = |user: &str| Visitor { client_id: "app_x".to_owned(), user_id: user.to_owned() };
    let add = async |user: &str, conversation: &str, characters| {
        store.add_turn(&visitor(user), &turn(conversation, characters), u64::MAX).await
    };
    assert_eq!(add("a", "before", 10).await.unwrap(), TurnOutcome::Stored);

    for number in 0..3 {
        // The limit is one of the connection.
        limit_pages(&store, "1").await;
        let error = add("a", &format!("full{number}"), 200_000).await.unwrap_err();
        assert!(error.is_passing(), "{error}");
    }
    limit_pages(&store, "1000000").await;
    // A transaction that is rolled back for another reason.
    assert_eq!(add("b", "before", 10).await.unwrap(), TurnOutcome::OtherUser);
    assert_eq!(add("a", "after", 10).await.unwrap(), TurnOutcome::Stored);
    assert!(store.spend_challenge(&[7; 32], 100).await.unwrap());

    let mut aside = SqliteConnection::connect(&url).await.unwrap();
    for (count, expected) in
        [("SELECT COUNT(*) FROM conversations", 2), ("SELECT COUNT(*) FROM spent_challenges", 1)]
    {
        let found: i64 = sqlx::query_scalar(count).fetch_one(&mut aside).await.unwrap();
        assert_eq!(found, expected, "{count}: what another process finds");
    }
}
