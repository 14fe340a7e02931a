//! The exported functions of a transform.

use super::base::tidegate::plugin::{rows, session, types as raw};
use super::exports::{describe, not_open, speak_before_panic};
use super::transform::exports::tidegate::plugin::{describe as transform_describe, transform as transform_raw};
use crate::{Failure, Transform};
use std::cell::RefCell;
use std::marker::PhantomData;
use std::sync::Arc;

thread_local! {
    static TRANSFORM: RefCell<Option<Box<dyn Transform>>> = const { RefCell::new(None) };
}

/// The exports of a transform.
pub struct TransformComponent<T>(PhantomData<T>);

describe!(TransformComponent, Transform, transform_describe);

fn with_transform<R>(f: impl FnOnce(&mut dyn Transform) -> Result<R, Failure>) -> Result<R, raw::Failure> {
    TRANSFORM.with_borrow_mut(|t| t.as_deref_mut().map_or_else(|| Err(not_open()), |t| f(t).map_err(Into::into)))
}

impl<T: Transform + 'static> transform_raw::Guest for TransformComponent<T> {
    fn open(ctx: session::Context) -> Result<(), raw::Failure> {
        speak_before_panic();
        TRANSFORM.set(Some(Box::new(T::open(ctx.into())?)));
        Ok(())
    }

    fn on_schema(schema: raw::TableSchema) -> Result<transform_raw::TransformPlan, raw::Failure> {
        let plan = with_transform(|t| t.on_schema(Arc::new(schema.into())))?;
        Ok(transform_raw::TransformPlan {
            active: plan.active,
            columns: plan.columns,
            output: plan.output.map(Into::into),
            attrs: plan.attrs,
        })
    }

    fn drop_schema(table: raw::TableRef) {
        // Before `open` there is nothing to drop.
        let _ = with_transform(|t| {
            t.drop_schema(table.into());
            Ok(())
        });
    }

    fn transform(batch: &rows::RowBatch, data: Vec<u8>) -> Result<transform_raw::Transformed, raw::Failure> {
        let made = with_transform(|t| t.transform(batch, &data))?;
        Ok(transform_raw::Transformed {
            data: made.data,
            origins: made.origins,
            quarantined: made.quarantined.into_iter().map(Into::into).collect(),
        })
    }

    fn on_ddl(ddl: raw::DdlEvent) -> Result<Option<raw::DdlEvent>, raw::Failure> {
        with_transform(|t| t.on_ddl(ddl.into())).map(|d| d.map(Into::into))
    }
}
