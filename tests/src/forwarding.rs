//! Stores of tests that stand before another store.

/// Implements a port by the store behind. Calls in `through` pass a method that gets the name of
/// the call and its future; those in `sent` pass one that gets the name of the call, whether it may
/// be repeated, and what to call later, with own arguments; those in `direct` and `readers` go to
/// the store as they are; those in `written` are written out.
#[macro_export]
macro_rules! forward_calls {
    (
        impl $port:ident for $front:ty, |$this:ident| $store:expr;
        $(through $call:ident {
            $($through:ident($($through_arg:ident: $through_type:ty),*) -> $through_output:ty;)*
        })?
        $(sent $send:ident {
            $($sent:ident($($sent_arg:ident: $sent_type:ty),*) -> $sent_output:ty,
                $repeated:expr, |$behind:ident| $work:expr;)*
        })?
        $(direct { $($direct:ident($($arg:ident: $type:ty),*) -> $output:ty;)* })?
        $(readers { $($reader:ident($($read_arg:ident: $read_type:ty),*) -> $batches:ty;)* })?
        $(written { $($written:tt)* })?
    ) => {
        #[async_trait::async_trait]
        impl $port for $front {
            $($(
                async fn $through(
                    &self, $($through_arg: $through_type),*
                ) -> powerfill_ports::StoreResult<$through_output> {
                    let $this = self;
                    $this.$call(stringify!($through), $store.$through($($through_arg),*)).await
                }
            )*)?
            $($(
                async fn $sent(
                    &self, $($sent_arg: $sent_type),*
                ) -> powerfill_ports::StoreResult<$sent_output> {
                    let repeated = $repeated;
                    $(let $sent_arg = $sent_arg.to_owned();)*
                    self.$send(stringify!($sent), repeated, move |$behind| async move {
                        $work.await
                    })
                    .await
                }
            )*)?
            $($(
                async fn $direct(&self, $($arg: $type),*) -> powerfill_ports::StoreResult<$output> {
                    let $this = self;
                    $store.$direct($($arg),*).await
                }
            )*)?
            $($(
                fn $reader(&self, $($read_arg: $read_type),*) -> $batches {
                    let $this = self;
                    $store.$reader($($read_arg),*)
                }
            )*)?
            $($($written)*)?
        }
    };
}
