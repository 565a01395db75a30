//! Routes at the paths and methods that handlers declare by `utoipa::path`. The service collects
//! only the routes. With the feature `document`, [`crate::document`] also collects the document;
//! the program is built without it.

use std::pin::Pin;
use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::handler::Handler;
use axum::response::Response;
use axum::routing::MethodRouter;
use utoipa::openapi::RefOr;
use utoipa::openapi::path::{HttpMethod, Paths};
use utoipa::openapi::schema::Schema;
use utoipa_axum::PathItemExt;

use crate::api::Api;

/// Schemas by name, and operations.
pub(crate) type DocumentPart = (Vec<(String, RefOr<Schema>)>, Paths);

/// What becomes of the document of routes.
pub(crate) trait DocumentSink {
    fn add(&mut self, part: impl FnOnce() -> DocumentPart);
}

/// The document is not made.
#[derive(Debug)]
pub(crate) struct NoDocument;

impl DocumentSink for NoDocument {
    fn add(&mut self, _part: impl FnOnce() -> DocumentPart) {}
}

#[cfg(feature = "document")]
impl DocumentSink for utoipa::openapi::OpenApi {
    fn add(&mut self, part: impl FnOnce() -> DocumentPart) {
        let (schemas, paths) = part();
        for (path, item) in paths.paths {
            match self.paths.paths.get_mut(&path) {
                Some(present) => present.merge_operations(item),
                None => {
                    self.paths.paths.insert(path, item);
                }
            }
        }
        self.components
            .get_or_insert_with(utoipa::openapi::Components::new)
            .schemas
            .extend(schemas);
    }
}

/// The routes of some handlers, and what makes their part of the document.
pub(crate) struct DeclaredRoutes<P> {
    pub(crate) routes: Vec<(String, MethodRouter<Arc<Api>>)>,
    pub(crate) part: P,
}

impl<P> DeclaredRoutes<P> {
    /// Changes how the handlers are called.
    pub(crate) fn map(
        mut self,
        change: impl Fn(MethodRouter<Arc<Api>>) -> MethodRouter<Arc<Api>>,
    ) -> Self {
        self.routes = self.routes.into_iter().map(|(path, route)| (path, change(route))).collect();
        self
    }
}

/// The routes of handlers.
macro_rules! routes {
    ($($($part:ident)::+),+ $(,)?) => {
        $crate::routing::DeclaredRoutes {
            routes: vec![$($crate::routing::route(
                utoipa_axum::routes!(@path [path()] of $($part)::+),
                &utoipa_axum::routes!(@path [methods()] of $($part)::+),
                $($part)::+,
            )),+],
            part: || {
                let mut schemas = Vec::new();
                let mut paths = utoipa::openapi::path::Paths::new();
                $({
                    let (path, operation, methods) =
                        utoipa_axum::routes!(@resolve_types $($part)::+ : schemas);
                    paths.add_path_operation(&path, methods, operation);
                })+
                (schemas, paths)
            },
        }
    };
}

pub(crate) use routes;

/// A handler whose type does not say which one it is: what routing makes of a handler is then
/// compiled once for all of them.
#[derive(Clone)]
pub(crate) struct BoxedHandler(Arc<dyn Fn(Request, Arc<Api>) -> Answering + Send + Sync>);

type Answering = Pin<Box<dyn Future<Output = Response> + Send>>;

impl Handler<(), Arc<Api>> for BoxedHandler {
    type Future = Answering;

    fn call(self, request: Request, api: Arc<Api>) -> Answering {
        (self.0)(request, api)
    }
}

/// Boxes a handler.
pub(crate) fn boxed<T: 'static>(handler: impl Handler<T, Arc<Api>>) -> BoxedHandler {
    BoxedHandler(Arc::new(move |request, api| Box::pin(handler.clone().call(request, api))))
}

/// A handler at its path and methods.
pub(crate) fn route<T: 'static>(
    path: String,
    methods: &[HttpMethod],
    handler: impl Handler<T, Arc<Api>>,
) -> (String, MethodRouter<Arc<Api>>) {
    let handler = boxed(handler);
    let router = methods.iter().fold(MethodRouter::new(), |router, method| {
        router.on(method.to_method_filter(), handler.clone())
    });
    (path, router)
}

/// Routes, and their document.
pub(crate) struct Routes<D> {
    pub(crate) router: Router<Arc<Api>>,
    pub(crate) document: D,
}

impl<D: DocumentSink> Routes<D> {
    pub(crate) fn new(document: D) -> Self {
        Self { router: Router::new(), document }
    }

    pub(crate) fn routes(
        mut self,
        declared: DeclaredRoutes<impl FnOnce() -> DocumentPart>,
    ) -> Self {
        self.document.add(declared.part);
        self.router = add(self.router, declared.routes);
        self
    }
}

fn add(
    router: Router<Arc<Api>>,
    routes: Vec<(String, MethodRouter<Arc<Api>>)>,
) -> Router<Arc<Api>> {
    routes.into_iter().fold(router, |router, (path, route)| router.route(&path, route))
}
