//! Requests of the kv service in one shape.

use tg_proto::errorpb;
use tg_proto::kvrpcpb::{self as kv, Context};
use tg_proto::tikvpb::tikv_client::TikvClient;
use tonic::transport::Channel;
use tonic::{Response, Status};

/// A request to the leader of a region.
pub(crate) trait KvRequest: Send + Sized {
    type Answer: KvAnswer;
    const NAME: &'static str;
    fn set_context(&mut self, context: Context);
    fn send(self, client: TikvClient<Channel>) -> impl Future<Output = Result<Response<Self::Answer>, Status>> + Send;
}

/// May say that the region is the wrong one.
pub(crate) trait KvAnswer: Send {
    fn take_region_error(&mut self) -> Option<errorpb::Error>;
}

macro_rules! requests {
    ($($request:ident -> $answer:ident by $method:ident),* $(,)?) => {$(
        impl KvRequest for kv::$request {
            type Answer = kv::$answer;
            const NAME: &'static str = stringify!($method);
            fn set_context(&mut self, context: Context) {
                self.context = Some(context);
            }
            async fn send(self, mut client: TikvClient<Channel>) -> Result<Response<kv::$answer>, Status> {
                client.$method(self).await
            }
        }
        impl KvAnswer for kv::$answer {
            fn take_region_error(&mut self) -> Option<errorpb::Error> {
                self.region_error.take()
            }
        }
    )*};
}

requests!(
    GetRequest -> GetResponse by kv_get,
    ScanRequest -> ScanResponse by kv_scan,
    BatchGetRequest -> BatchGetResponse by kv_batch_get,
    ScanLockRequest -> ScanLockResponse by kv_scan_lock,
    CheckTxnStatusRequest -> CheckTxnStatusResponse by kv_check_txn_status,
    CheckSecondaryLocksRequest -> CheckSecondaryLocksResponse by kv_check_secondary_locks,
    ResolveLockRequest -> ResolveLockResponse by kv_resolve_lock,
);
