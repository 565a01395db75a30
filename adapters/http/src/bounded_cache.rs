//! Bounded caches in memory. All of them are one cache of the library to the compiler, because its
//! code is large and would be in the program once per type of key and value.

use std::any::Any;
use std::borrow::Cow;
use std::future::ready;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use moka::future::{Cache, CacheBuilder};
use moka::policy::EvictionPolicy;
use powerfill_events::run::RunId;

/// What a value belongs to: a tenant, and a run or a name within it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct CacheKey {
    tenant: Arc<str>,
    run: Option<RunId>,
    name: Cow<'static, str>,
}

impl CacheKey {
    pub(crate) fn of_tenant(tenant: &str) -> Self {
        Self { tenant: tenant.into(), run: None, name: Cow::Borrowed("") }
    }

    pub(crate) fn of_run(tenant: &str, run: RunId) -> Self {
        Self { run: Some(run), ..Self::of_tenant(tenant) }
    }

    pub(crate) fn named(self, name: impl Into<Cow<'static, str>>) -> Self {
        Self { name: name.into(), ..self }
    }
}

type AnyValue = Arc<dyn Any + Send + Sync>;

/// Values of one type. The least recently used ones make room.
pub(crate) struct BoundedCache<V> {
    values: Cache<CacheKey, AnyValue>,
    of: PhantomData<fn() -> V>,
}

impl<V: Clone + Send + Sync + 'static> BoundedCache<V> {
    /// At most this number of values.
    pub(crate) fn of_values(max: u64) -> Self {
        Self::build(Cache::builder().max_capacity(max))
    }

    /// Values that take at most `max` bytes together, as `bytes` counts them. One that is not used
    /// for the time `idle` is dropped.
    pub(crate) fn of_bytes(max: u64, idle: Option<Duration>, bytes: fn(&V) -> usize) -> Self {
        let mut builder = Cache::builder().max_capacity(max).weigher(move |_, value: &AnyValue| {
            let bytes = value.downcast_ref().map_or(0, bytes);
            u32::try_from(bytes).unwrap_or(u32::MAX)
        });
        if let Some(idle) = idle {
            builder = builder.time_to_idle(idle);
        }
        Self::build(builder)
    }

    fn build(builder: CacheBuilder<CacheKey, AnyValue, Cache<CacheKey, AnyValue>>) -> Self {
        Self { values: builder.eviction_policy(EvictionPolicy::lru()).build(), of: PhantomData }
    }

    pub(crate) async fn get(&self, key: &CacheKey) -> Option<V> {
        self.values.get(key).await.and_then(|value| value.downcast_ref().cloned())
    }

    pub(crate) async fn insert(&self, key: CacheKey, value: V) {
        self.values.insert(key, Arc::new(value)).await;
    }

    /// The value of a key; of a new key, the default.
    pub(crate) async fn get_or_default(&self, key: CacheKey) -> V
    where
        V: Default,
    {
        let default: AnyValue = Arc::new(V::default());
        let value = self.values.get_with(key, ready(default)).await;
        value.downcast_ref().cloned().unwrap_or_default()
    }
}
