// The contents of the object being filled.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/buffer_pool.hpp"
#include "row_json/key.hpp"
#include "s3/body.hpp"

namespace hydra::row_json {

// Lines in the order of the key, wherever they stand in the buffer: what an upload reads.
class LinesBody : public s3::Body {
 public:
  struct Piece {
    std::uint64_t offset;
    std::uint64_t size;
  };
  // The bytes go to the pool in the end.
  LinesBody(ByteBuffer bytes, std::vector<Piece> pieces, BufferPool& pool);
  ~LinesBody() override;

  std::uint64_t size() const override { return bytes_.size(); }
  void rewind() override;
  std::size_t read(char* to, std::size_t room) noexcept override;

  std::string sha256() const;
  std::size_t memory() const;

 private:
  BufferPool& pool_;
  ByteBuffer bytes_;
  std::vector<Piece> pieces_;  // together all of the bytes
  std::size_t piece_ = 0;      // the one being read
  std::uint64_t done_ = 0;     // of its bytes
};

// An object whose contents are complete.
struct ClosedObject {
  std::unique_ptr<LinesBody> body;
  std::string first_id, last_id;
  std::uint64_t rows = 0, bytes = 0;
  std::string relation;  // the one table that the rows are of; '' where that does not matter
  unsigned relation_oid = 0;
};

// Lines of one object with the keys of their rows. Lines are written to buffer() by others, then
// noted with add(). The lines are never moved: sorting orders what points to them.
class ObjectBuffer {
 public:
  // pool: where the buffer is from; it outlives the object and its body.
  ObjectBuffer(const Key& key, BufferPool& pool);
  ~ObjectBuffer();
  ObjectBuffer(const ObjectBuffer&) = delete;
  ObjectBuffer& operator=(const ObjectBuffer&) = delete;

  ByteBuffer& buffer() { return bytes_; }

  // The bytes of the buffer from `start` on are the line of the row with this key. Raw.
  void add(std::size_t start, const Datum* values, const bool* nulls);

  std::size_t rows() const { return rows_; }
  std::size_t bytes() const { return bytes_.size(); }
  std::size_t memory() const;  // all that it takes, keys included

  // Sorts the rows and hands the contents over. At least one row; nothing can be added after it.
  ClosedObject close();

 private:
  struct Entry {
    std::uint64_t offset;
    std::uint32_t size;
    std::uint32_t row;  // the row's place in keys_
  };
  void grow();                                                   // raw
  void sort();                                                   // raw
  static int compare(const void* a, const void* b, void* self);  // raw
  const Datum* key_of(const Entry& entry) const { return keys_ + entry.row * key_.size(); }
  std::vector<LinesBody::Piece> pieces() const;

  const Key& key_;
  BufferPool& pool_;
  MemoryContext context_;
  ByteBuffer bytes_;
  Entry* entries_ = nullptr;
  Datum* keys_ = nullptr;
  std::size_t rows_ = 0;
  std::size_t room_ = 0;
};

}  // namespace hydra::row_json
