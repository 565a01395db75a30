INSERT INTO es_event_blocks (stream_id, first_version, event_count, event_types, hash_before, hash_after, event_checks,
                             codec, byte_count, stored_hash, body)
SELECT $1, first_version, event_count, event_types, hash_before, hash_after, event_checks, $2, byte_count, stored_hash, body
FROM unnest($3::BIGINT[], $4::BIGINT[], $5::TEXT[], $6::BYTEA[], $7::BYTEA[], $8::BYTEA[], $9::BIGINT[], $10::BYTEA[],
            $11::BYTEA[])
     AS given (first_version, event_count, event_types, hash_before, hash_after, event_checks, byte_count, stored_hash,
               body)
