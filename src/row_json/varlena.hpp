// The bytes of a value of variable length.
#pragma once

#include "pg/postgres.hpp"

namespace hydra::row_json {

// Returns the bytes that a Datum points to. The server's Pointer has been void* since 19.
inline const char* bytes_of(Datum value) {
  return static_cast<const char*>(DatumGetPointer(value));
}

// Locates a varlena's contents: in place, at any alignment and with any header, or in a copy if the
// value was compressed or stored in TOAST. Close it after use, so that a row's large values are not
// all in memory at once. Raw.
struct Varlena {
  const char* data;
  std::size_t size;
  void* copy;

  static Varlena open(Datum value) {
    const char* at = bytes_of(value);
    if (VARATT_IS_1B(at) && !VARATT_IS_1B_E(at)) {
      return {at + VARHDRSZ_SHORT, VARSIZE_1B(at) - VARHDRSZ_SHORT, nullptr};
    }
    if (VARATT_IS_4B_U(at)) {
      uint32 header;
      std::memcpy(&header, at, sizeof(header));
      return {at + VARHDRSZ, VARSIZE(&header) - VARHDRSZ, nullptr};
    }
    varlena* copy = detoast_attr(reinterpret_cast<varlena*>(DatumGetPointer(value)));
    return {VARDATA(copy), VARSIZE(copy) - VARHDRSZ, copy};
  }

  void close() const {
    if (copy != nullptr) pfree(copy);
  }
};

}  // namespace hydra::row_json
