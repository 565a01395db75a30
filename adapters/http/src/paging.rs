//! The headers of pages: links to other pages, and how many rows there are.

use axum::http::{HeaderMap, HeaderName, HeaderValue, Uri, header};

/// The header with the number of rows of all pages.
const TOTAL: &str = "x-total-count";

/// The links of a page: to the next one, if there is one, and to the first one from another one. A
/// page begins where the parameter `cursor_name` of its URL says.
pub(crate) fn page_headers(
    uri: &Uri,
    cursor_name: &str,
    next: Option<&str>,
    total: Option<u64>,
) -> HeaderMap {
    let pairs = uri.query().into_iter().flat_map(|query| query.split('&'));
    let is_cursor = |pair: &&str| pair.split('=').next() == Some(cursor_name);
    let (cursor, mut others): (Vec<&str>, Vec<&str>) =
        pairs.filter(|pair| !pair.is_empty()).partition(is_cursor);
    let link = |pairs: &[&str], relation: &str| {
        let question = if pairs.is_empty() { "" } else { "?" };
        format!("<{}{question}{}>; rel=\"{relation}\"", uri.path(), pairs.join("&"))
    };
    let first = (!cursor.is_empty()).then(|| link(&others, "first"));
    let next = next.map(|next| {
        let next: String = form_urlencoded::byte_serialize(next.as_bytes()).collect();
        format!("{cursor_name}={next}")
    });
    let next = next.as_deref().map(|next| {
        others.push(next);
        link(&others, "next")
    });
    let links: Vec<String> = next.into_iter().chain(first).collect();
    let mut headers = HeaderMap::new();
    if !links.is_empty() {
        let value = HeaderValue::from_str(&links.join(", "));
        headers.extend(value.map(|value| (header::LINK, value)));
    }
    let name = HeaderName::from_static(TOTAL);
    headers.extend(total.map(|total| (name, HeaderValue::from(total))));
    headers
}

#[cfg(test)]
mod tests {
    use super::*;

    fn links(uri: &str, next: Option<&str>) -> Option<String> {
        let headers = page_headers(&uri.parse().unwrap(), "cursor", next, None);
        headers.get("link").map(|link| link.to_str().unwrap().to_owned())
    }

    #[test]
    fn a_page_links_to_the_next_and_the_first_one() {
        assert_eq!(links("/runs", None), None);
        assert_eq!(links("/runs", Some("a b")).unwrap(), "</runs?cursor=a+b>; rel=\"next\"");
        assert_eq!(
            links("/runs?limit=2&cursor=x&status=Complete", Some("y")).unwrap(),
            "</runs?limit=2&status=Complete&cursor=y>; rel=\"next\", \
             </runs?limit=2&status=Complete>; rel=\"first\""
        );
        assert_eq!(links("/runs?cursor=x", None).unwrap(), "</runs>; rel=\"first\"");
    }

    #[test]
    fn the_total_is_there_if_it_is_known() {
        let headers = page_headers(&Uri::from_static("/runs"), "cursor", None, Some(7));
        assert_eq!(headers[TOTAL], "7");
    }
}
