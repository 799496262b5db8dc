#include "pg/user_mapping.hpp"

#include "pg/error.hpp"

namespace hydra::pg {
namespace {

char server_name[] = "hydra_export";

struct Option {
  const char* name;
  const char* value;
};

// Raw. InvalidOid if the server or the mapping is missing.
Oid find_mapping() {
  const Oid server = get_foreign_server_oid(server_name, true);
  if (!OidIsValid(server)) return InvalidOid;
  return GetSysCacheOid2(USERMAPPINGUSERSERVER, Anum_pg_user_mapping_oid,
                         ObjectIdGetDatum(ACL_ID_PUBLIC), ObjectIdGetDatum(server));
}

// Raw. A list of DefElems, whose values are Strings.
List* read_options() {
  const Oid mapping = find_mapping();
  if (!OidIsValid(mapping)) return NIL;
  HeapTuple tuple = SearchSysCache1(USERMAPPINGOID, ObjectIdGetDatum(mapping));
  if (!HeapTupleIsValid(tuple)) return NIL;
  bool is_null = false;
  const Datum options =
      SysCacheGetAttr(USERMAPPINGOID, tuple, Anum_pg_user_mapping_umoptions, &is_null);
  List* list = is_null ? NIL : untransformRelOptions(options);
  ReleaseSysCache(tuple);
  return list;
}

// Raw.
RoleSpec* everybody() {
  RoleSpec* role = makeNode(RoleSpec);
  role->roletype = ROLESPEC_PUBLIC;
  role->location = -1;
  return role;
}

// Raw.
DefElem* change(DefElemAction action, const char* name, const char* value) {
  Node* text = value != nullptr ? reinterpret_cast<Node*>(makeString(pstrdup(value))) : nullptr;
  DefElem* element = makeDefElem(pstrdup(name), text, -1);
  element->defaction = action;
  return element;
}

// Raw.
void write_options(List* changes) {
  if (OidIsValid(find_mapping())) {
    AlterUserMappingStmt* statement = makeNode(AlterUserMappingStmt);
    statement->user = everybody();
    statement->servername = server_name;
    statement->options = changes;
    AlterUserMapping(statement);
  } else {
    CreateUserMappingStmt* statement = makeNode(CreateUserMappingStmt);
    statement->user = everybody();
    statement->servername = server_name;
    statement->options = changes;
    CreateUserMapping(statement);
  }
  CommandCounterIncrement();
}

}  // namespace

Options user_mapping() {
  Option* found = nullptr;
  std::size_t count = 0;
  call([&]() noexcept {
    List* list = read_options();
    found = static_cast<Option*>(palloc(sizeof(Option) * (list_length(list) + 1)));
    ListCell* cell;
    foreach (cell, list) {
      DefElem* element = static_cast<DefElem*>(lfirst(cell));
      found[count++] = {element->defname, element->arg != nullptr ? defGetString(element) : ""};
    }
  });
  Options options;
  for (std::size_t i = 0; i < count; ++i)
    options.emplace_back(found[i].name, found[i].value);
  return options;
}

void set_user_mapping(const Options& options) {
  std::vector<Option> wanted;
  for (const auto& [name, value] : options)
    wanted.push_back({name.c_str(), value.c_str()});
  const Option* first = wanted.data();
  const std::size_t count = wanted.size();
  call([=]() noexcept {
    List* changes = NIL;
    ListCell* cell;
    foreach (cell, read_options()) {
      const char* name = static_cast<DefElem*>(lfirst(cell))->defname;
      changes = lappend(changes, change(DEFELEM_DROP, name, nullptr));
    }
    for (std::size_t i = 0; i < count; ++i)
      changes = lappend(changes, change(DEFELEM_ADD, first[i].name, first[i].value));
    if (changes != NIL) write_options(changes);
  });
  hold_user_mapping();
}

void hold_user_mapping() {
  call([]() noexcept {
    const Oid mapping = find_mapping();
    const Oid extension = get_extension_oid("hydra_export", true);
    if (!OidIsValid(mapping) || !OidIsValid(extension)) return;
    if (getExtensionOfObject(UserMappingRelationId, mapping) == extension) return;
    ObjectAddress member, owner;
    ObjectAddressSet(member, UserMappingRelationId, mapping);
    ObjectAddressSet(owner, ExtensionRelationId, extension);
    recordDependencyOn(&member, &owner, DEPENDENCY_EXTENSION);
    CommandCounterIncrement();
  });
}

}  // namespace hydra::pg
