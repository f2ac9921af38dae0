//! `query`: the documents of a read model.

mod fields;

use crate::{CliError, Output, Service, Stores, table::Table, text::plain};
use annals::{Json, PageLimit, ReadError, SubscriberId};
use clap::Args;
use fields::{Fields, KeyField};
use std::sync::Arc;

/// Which documents to print.
#[derive(Debug, Clone, Args)]
pub struct Query {
    /// The read model
    #[arg(value_name = "READMODEL")]
    pub name: String,
    /// Only the document under this key
    pub key: Option<String>,
}

type Document = (Arc<str>, Json);

/// Prints documents as they are stored, ordered by the bytes of their keys, page by page. The key is put in front of
/// those that do not hold it.
pub(super) async fn run(
    service: &Service,
    stores: &Stores,
    wanted: Query,
    output: &mut Output,
) -> Result<(), CliError> {
    let name = &*wanted.name;
    // One page tells where the documents of this read model hold their key, also when only one of them is printed.
    let mut page = page(service, stores, name, None).await?;
    let key_field = KeyField::of(&page);
    if let Some(key) = &wanted.key {
        let Some(document) = document(service, stores, name, key).await? else {
            let missing = format!("there is no document under {:?}", plain(key));
            return Err(CliError::failed(name, missing).next(format_args!("list all with `query {name}`")));
        };
        return print_one(&(key.as_str().into(), document), &key_field, output);
    }
    let mut table = None;
    while !page.is_empty() {
        print(&page, &key_field, &mut table, output)?;
        page = self::page(service, stores, name, page.last().map(|(key, _)| &**key)).await?;
    }
    Ok(())
}

/// Prints one document: as JSON, or a field per line.
fn print_one((key, document): &Document, key_field: &KeyField, output: &mut Output) -> Result<(), CliError> {
    if output.is_json() {
        return output.text(key_field.put_in(key, document));
    }
    let rows = key_field.fields(key, document).rows();
    Table::new(["field", "value"]).print(output, &rows)
}

/// The generation that readers see, if this program can read it.
async fn live(service: &Service, stores: &Stores, name: &str) -> Result<SubscriberId, CliError> {
    let ours = service.known_projection(name)?.version();
    let live = stores.documents.live(name).await.map_err(|error| CliError::because(name, &error))?;
    let name = name.to_string();
    match live {
        Some((live, version)) if version == ours => Ok(live),
        Some((_, live)) => {
            let error = ReadError::OtherVersion { name: name.clone(), live, ours };
            Err(CliError::because("query", &error))
        }
        None => {
            let next = format!("run the service, or `replay {name}`");
            Err(CliError::failed(&name, "nothing was projected yet").next(next))
        }
    }
}

/// The next documents. A rebuild that takes their place leaves out none: the next are those of the new ones.
async fn page(
    service: &Service,
    stores: &Stores,
    name: &str,
    after: Option<&str>,
) -> Result<Vec<Document>, CliError> {
    loop {
        let live = live(service, stores, name).await?;
        let page = stores.documents.documents(&live, after, PageLimit::DEFAULT).await;
        let page = page.map_err(|error| CliError::because(name, &error))?;
        // What a rebuild has replaced is deleted: its end must not look like the end.
        if self::live(service, stores, name).await? == live {
            return Ok(page);
        }
    }
}

async fn document(
    service: &Service,
    stores: &Stores,
    name: &str,
    key: &str,
) -> Result<Option<Json>, CliError> {
    loop {
        let live = live(service, stores, name).await?;
        let found = stores.documents.load(&live, &[key.into()]).await;
        let found = found.map_err(|error| CliError::because(name, &error))?.pop();
        let document = found.and_then(|slot| slot.document);
        if document.is_some() || self::live(service, stores, name).await? == live {
            return Ok(document);
        }
    }
}

fn print(
    page: &[Document],
    key_field: &KeyField,
    table: &mut Option<(Table, Vec<String>)>,
    output: &mut Output,
) -> Result<(), CliError> {
    if output.is_json() {
        return page.iter().try_for_each(|(key, document)| output.text(key_field.put_in(key, document)));
    }
    let documents: Vec<Fields> = page.iter().map(|(key, document)| key_field.fields(key, document)).collect();
    let (table, titles) = table.get_or_insert_with(|| {
        let titles = fields::titles(&documents);
        (Table::new(titles.clone()), titles)
    });
    let rows: Vec<Vec<String>> =
        documents.iter().map(|fields| titles.iter().map(|title| fields.cell(title)).collect()).collect();
    table.print(output, &rows)
}
