// The contents of the object that is being filled.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/buffer_pool.hpp"
#include "row_json/key.hpp"
#include "s3/body.hpp"

namespace hydra::row_json {

// The lines in the order of the key, wherever they are in the buffer: the body of an upload.
class LinesBody : public s3::Body {
 public:
  struct Piece {
    std::uint64_t offset;
    std::uint64_t size;
  };
  // The buffer is returned to the pool at the end.
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
  std::vector<Piece> pieces_;  // together they cover all of the bytes
  std::size_t piece_ = 0;      // the current one
  std::uint64_t done_ = 0;     // bytes of it that were read
};

// An object whose contents are complete.
struct ClosedObject {
  std::unique_ptr<LinesBody> body;
  std::string first_id, last_id;
  std::uint64_t rows = 0, bytes = 0;
  std::string relation;  // the table of the rows; '' if the manifest does not need it
  unsigned relation_oid = 0;
};

// The lines of one object with the keys of their rows. Lines are written to buffer() by other code,
// and then registered with add(). The lines are never moved: sorting only orders references to
// them.
class ObjectBuffer {
 public:
  // pool: the source of the buffer; must outlive this object and its body.
  ObjectBuffer(const Key& key, BufferPool& pool);
  ~ObjectBuffer();
  ObjectBuffer(const ObjectBuffer&) = delete;
  ObjectBuffer& operator=(const ObjectBuffer&) = delete;

  ByteBuffer& buffer() { return bytes_; }

  // Registers the bytes of the buffer from `start` on as the line of the row with this key. Raw.
  void add(std::size_t start, const Datum* values, const bool* nulls);

  std::size_t rows() const { return rows_; }
  std::size_t bytes() const { return bytes_.size(); }
  std::size_t memory() const;  // all that it uses, keys included

  // Sorts the rows and returns the contents. Requires at least one row; nothing can be added after
  // it.
  ClosedObject close();

 private:
  struct Entry {
    std::uint64_t offset;
    std::uint32_t size;
    std::uint32_t row;  // the row's index in keys_
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
