//! `tidegate tap`: the stream of a changefeed before it leaves.

use crate::{
    CliError, Terminal,
    args_consume::TapArgs,
    client::{Client, encode},
};

/// Longest line that is kept together.
const LINE_BYTES_MAX: usize = 64 << 20;

pub(crate) async fn run(args: &TapArgs, client: &Client, terminal: &mut Terminal<'_>) -> Result<(), CliError> {
    let (id, namespace) = (encode(&args.changefeed_id), encode(&client.namespace));
    let tables = encode(&args.tables.join(","));
    let condition = encode(args.condition.as_deref().unwrap_or_default());
    let path = format!("/api/v2/tidegate/changefeeds/{id}/tap?keyspace={namespace}&tables={tables}&where={condition}");
    let mut stream = client.stream(&path).await?;
    let (mut held, mut shown) = (Vec::new(), 0_u64);
    while let Some(part) = client.part(&mut stream).await? {
        held.extend_from_slice(&part);
        while let Some(end) = held.iter().position(|b| *b == b'\n') {
            let line: Vec<u8> = held.drain(..=end).collect();
            terminal.out.write_all(&line)?;
            terminal.out.flush()?;
            shown += 1;
            if args.limit.is_some_and(|limit| shown >= limit) {
                return Ok(());
            }
        }
        if held.len() > LINE_BYTES_MAX {
            held.clear();
        }
    }
    writeln!(terminal.err, "The stream has ended: the changefeed does not run any more.")?;
    Ok(())
}
