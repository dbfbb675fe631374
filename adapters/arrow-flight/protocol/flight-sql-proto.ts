/**
 * The messages of Arrow Flight SQL, in the language of Protocol Buffers.
 *
 * Names and numbers are those of FlightSql.proto of Apache Arrow (Apache License 2.0), which are fixed for ever; those
 * of transactions, savepoints, updates and Substrait plans are left out, because nothing is changed by SQL.
 *
 * @module
 */

/** `arrow.flight.protocol.sql`. */
export const FLIGHT_SQL_PROTO = `
syntax = "proto3";
package arrow.flight.protocol.sql;

message CommandGetSqlInfo { repeated uint32 info = 1; }
message CommandGetXdbcTypeInfo { optional int32 data_type = 1; }
message CommandGetCatalogs {}
message CommandGetDbSchemas {
  optional string catalog = 1;
  optional string db_schema_filter_pattern = 2;
}
message CommandGetTables {
  optional string catalog = 1;
  optional string db_schema_filter_pattern = 2;
  optional string table_name_filter_pattern = 3;
  repeated string table_types = 4;
  bool include_schema = 5;
}
message CommandGetTableTypes {}
message CommandGetPrimaryKeys {
  optional string catalog = 1;
  optional string db_schema = 2;
  string table = 3;
}
message CommandGetExportedKeys {
  optional string catalog = 1;
  optional string db_schema = 2;
  string table = 3;
}
message CommandGetImportedKeys {
  optional string catalog = 1;
  optional string db_schema = 2;
  string table = 3;
}
message ActionCreatePreparedStatementRequest { string query = 1; optional bytes transaction_id = 2; }
message ActionCreatePreparedStatementResult {
  bytes prepared_statement_handle = 1;
  bytes dataset_schema = 2;
  bytes parameter_schema = 3;
}
message ActionClosePreparedStatementRequest { bytes prepared_statement_handle = 1; }
message CommandStatementQuery { string query = 1; optional bytes transaction_id = 2; }
message TicketStatementQuery { bytes statement_handle = 1; }
message CommandPreparedStatementQuery { bytes prepared_statement_handle = 1; }
message DoPutPreparedStatementResult { optional bytes prepared_statement_handle = 1; }
message CommandStatementUpdate { string query = 1; optional bytes transaction_id = 2; }
message CommandPreparedStatementUpdate { bytes prepared_statement_handle = 1; }
`;
