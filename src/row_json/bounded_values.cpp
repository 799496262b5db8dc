// Types whose values have at most a few bytes.
#include <cmath>

#include "json/datetime.hpp"
#include "json/digits.hpp"
#include "json/identifiers.hpp"
#include "json/money.hpp"
#include "pg/compat.hpp"
#include "row_json/varlena.hpp"
#include "row_json/writers.hpp"

namespace hydra::row_json {
namespace {

// A copy, because the value may have any alignment.
template <typename Struct>
Struct read(Datum value) {
  Struct copy;
  std::memcpy(&copy, DatumGetPointer(value), sizeof(copy));
  return copy;
}

template <std::size_t N>
char* put_text(char* to, const char (&text)[N]) {
  std::memcpy(to, text, N - 1);
  return to + N - 1;
}

template <typename Inner>
char* put_quoted(char* to, Inner&& inner) {
  *to = '"';
  to = inner(to + 1);
  *to = '"';
  return to + 1;
}

char* put_bool(char* to, Datum value) {
  return DatumGetBool(value) ? put_text(to, "true") : put_text(to, "false");
}

char* put_int2(char* to, Datum value) {
  return json::put_signed(to, DatumGetInt16(value));
}

char* put_int4(char* to, Datum value) {
  return json::put_signed(to, DatumGetInt32(value));
}

char* put_int8(char* to, Datum value) {
  return json::put_signed(to, DatumGetInt64(value));
}

// json.c writes object and transaction ids as strings.
char* put_id(char* to, Datum value) {
  return put_quoted(to, [=](char* at) { return json::put_unsigned(at, DatumGetUInt32(value)); });
}

char* put_long_id(char* to, Datum value) {
  return put_quoted(to, [=](char* at) { return json::put_unsigned(at, DatumGetUInt64(value)); });
}

// A value that is not a JSON number is written as a string.
char* put_float_word(char* to, double value) {
  if (std::isnan(value)) return put_text(to, "\"NaN\"");
  return value > 0 ? put_text(to, "\"Infinity\"") : put_text(to, "\"-Infinity\"");
}

char* put_float4(char* to, Datum value) {
  const float4 number = DatumGetFloat4(value);
  if (!std::isfinite(number)) return put_float_word(to, static_cast<double>(number));
  return to + float_to_shortest_decimal_bufn(number, to);
}

char* put_float8(char* to, Datum value) {
  const float8 number = DatumGetFloat8(value);
  if (!std::isfinite(number)) return put_float_word(to, number);
  return to + double_to_shortest_decimal_bufn(number, to);
}

char* put_money(char* to, Datum value) {
  return put_quoted(to, [=](char* at) { return json::put_money(at, DatumGetInt64(value)); });
}

char* put_uuid(char* to, Datum value) {
  return put_quoted(to, [=](char* at) { return json::put_uuid(at, bytes_of(value)); });
}

template <std::size_t N>
char* put_mac(char* to, Datum value) {
  return put_quoted(to, [=](char* at) { return json::put_mac(at, bytes_of(value), N); });
}

char* put_date(char* to, Datum value) {
  const DateADT date = DatumGetDateADT(value);
  if (DATE_IS_NOBEGIN(date)) return put_text(to, "\"-infinity\"");
  if (DATE_IS_NOEND(date)) return put_text(to, "\"infinity\"");
  return put_quoted(to, [=](char* at) { return json::put_date(at, date); });
}

char* put_time(char* to, Datum value) {
  return put_quoted(to, [=](char* at) { return json::put_time(at, DatumGetTimeADT(value)); });
}

char* put_timetz(char* to, Datum value) {
  const char* bytes = bytes_of(value);
  TimeADT time;
  int32 zone;
  std::memcpy(&time, bytes + offsetof(TimeTzADT, time), sizeof(time));
  std::memcpy(&zone, bytes + offsetof(TimeTzADT, zone), sizeof(zone));
  return put_quoted(to, [=](char* at) { return json::put_zoned_time(at, time, zone); });
}

char* put_moment(char* to, Timestamp value, std::string_view zone) {
  if (TIMESTAMP_IS_NOBEGIN(value)) return put_text(to, "\"-infinity\"");
  if (TIMESTAMP_IS_NOEND(value)) return put_text(to, "\"infinity\"");
  return put_quoted(to, [=](char* at) { return json::put_timestamp(at, value, 'T', zone); });
}

char* put_timestamp(char* to, Datum value) {
  return put_moment(to, DatumGetTimestamp(value), "");
}

char* put_timestamptz(char* to, Datum value) {
  return put_moment(to, DatumGetTimestampTz(value), "+00:00");
}

char* put_interval(char* to, Datum value) {
  const Interval interval = read<Interval>(value);
  const int infinity = pg::compat::interval_infinity(interval);
  if (infinity < 0) return put_text(to, "\"-infinity\"");
  if (infinity > 0) return put_text(to, "\"infinity\"");
  return put_quoted(to, [&](char* at) {
    return json::put_interval(at, interval.month, interval.day, interval.time);
  });
}

constexpr std::size_t max_address_size =
    sizeof("xxxx:xxxx:xxxx:xxxx:xxxx:xxxx:255.255.255.255/128");

// Writes the address, and the number of its bits unless it is the maximum. The rules for IPv6 are
// complex, and are left to the server's own function.
char* put_address(char* to, const inet_struct& address) {
  if (address.family != PGSQL_AF_INET) {
    pg_inet_net_ntop(address.family, address.ipaddr, address.bits, to, max_address_size);
    return to + std::strlen(to);
  }
  for (int i = 0; i < 4; ++i) {
    if (i > 0) *to++ = '.';
    to = json::put_unsigned(to, address.ipaddr[i]);
  }
  if (address.bits == 32) return to;
  *to++ = '/';
  return json::put_unsigned(to, address.bits);
}

inet_struct read_address(Datum value) {
  const Varlena bytes = Varlena::open(value);
  inet_struct address{};
  std::memcpy(&address, bytes.data, std::min(bytes.size, sizeof(address)));
  bytes.close();
  return address;
}

char* put_inet(char* to, Datum value) {
  return put_quoted(to, [=](char* at) { return put_address(at, read_address(value)); });
}

// A network always includes the number of bits.
char* put_cidr(char* to, Datum value) {
  const inet_struct address = read_address(value);
  const bool all = address.bits == (address.family == PGSQL_AF_INET ? 32 : 128);
  return put_quoted(to, [&](char* at) {
    at = put_address(at, address);
    if (!all) return at;
    *at = '/';
    return json::put_unsigned(at + 1, address.bits);
  });
}

struct Bounded {
  Oid type;
  ValueWriter::Put put;
  std::size_t room;  // without the quotes
};

constexpr Bounded bounded[] = {
    {BOOLOID, put_bool, 5},
    {INT2OID, put_int2, json::max_integer_size},
    {INT4OID, put_int4, json::max_integer_size},
    {INT8OID, put_int8, json::max_integer_size},
    {OIDOID, put_id, json::max_integer_size},
    {XIDOID, put_id, json::max_integer_size},
    {CIDOID, put_id, json::max_integer_size},
    {XID8OID, put_long_id, json::max_integer_size},
    {FLOAT4OID, put_float4, FLOAT_SHORTEST_DECIMAL_LEN},
    {FLOAT8OID, put_float8, DOUBLE_SHORTEST_DECIMAL_LEN},
    {CASHOID, put_money, json::max_money_size},
    {UUIDOID, put_uuid, json::uuid_size},
    {MACADDROID, put_mac<6>, json::max_mac_size},
    {MACADDR8OID, put_mac<8>, json::max_mac_size},
    {DATEOID, put_date, json::max_date_size},
    {TIMEOID, put_time, json::max_time_size},
    {TIMETZOID, put_timetz, json::max_time_size},
    {TIMESTAMPOID, put_timestamp, json::max_timestamp_size},
    {TIMESTAMPTZOID, put_timestamptz, json::max_timestamp_size},
    {INTERVALOID, put_interval, json::max_interval_size},
    {INETOID, put_inet, max_address_size + 4},
    {CIDROID, put_cidr, max_address_size + 4},
};

}  // namespace

ValueWriter* make_bounded_writer(Oid type) {
  for (const Bounded& one : bounded) {
    if (one.type != type) continue;
    ValueWriter* writer = allocate_writer<ValueWriter>(type, nullptr);
    writer->put = one.put;
    writer->room = one.room + 2;
    writer->takes_any_place = true;
    return writer;
  }
  return nullptr;
}

}  // namespace hydra::row_json
