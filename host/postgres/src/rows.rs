//! One session with the server, and texts that go through it.

use futures::TryStreamExt;
use std::pin::pin;
use tokio::task::AbortHandle;
use tokio_postgres::{Client, Error, SimpleQueryMessage};

/// A session; its socket is closed when it is dropped, also in the middle of a statement.
#[derive(Debug)]
pub(crate) struct Session {
    client: Client,
    /// The task that moves its bytes.
    driver: AbortHandle,
}

/// A row as the server prints it.
pub(crate) type TextRow = Vec<Option<String>>;

impl Drop for Session {
    fn drop(&mut self) {
        // The driver alone would wait for the answers that are due.
        self.driver.abort();
    }
}

impl Session {
    pub(crate) const fn new(client: Client, driver: AbortHandle) -> Self {
        Self { client, driver }
    }

    /// Whether the server has hung up.
    pub(crate) fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    pub(crate) const fn client(&self) -> &Client {
        &self.client
    }

    /// Runs statements and tells the rows that each touched, as far as they come.
    pub(crate) async fn run(&self, statements: &str, mut each: impl FnMut(u64)) -> Result<(), Error> {
        let mut answers = pin!(self.client.simple_query_raw(statements).await?);
        while let Some(answer) = answers.try_next().await? {
            if let SimpleQueryMessage::CommandComplete(rows) = answer {
                each(rows);
            }
        }
        Ok(())
    }

    /// Runs statements for their effect.
    pub(crate) async fn run_all(&self, statements: &str) -> Result<(), Error> {
        self.run(statements, |_| {}).await
    }

    /// The rows of a query, at most `max` of them; whether there were more is told too.
    pub(crate) async fn rows(&self, query: &str, max: usize) -> Result<(Vec<TextRow>, bool), Error> {
        let mut answers = pin!(self.client.simple_query_raw(query).await?);
        let (mut out, mut more) = (Vec::new(), false);
        while let Some(answer) = answers.try_next().await? {
            if let SimpleQueryMessage::Row(row) = answer {
                if out.len() == max {
                    more = true;
                } else {
                    out.push((0..row.len()).map(|i| row.get(i).map(str::to_owned)).collect());
                }
            }
        }
        Ok((out, more))
    }
}
