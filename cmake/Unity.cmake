# What is built only to be tested, and never bit by bit, compiles the sources of a folder together: the headers that
# they share are read once. So a name in an anonymous namespace is used once in a folder. What is delivered and what is
# worked with (`release`, `debug`) compile each source alone.
option(CLOAKROOM_UNITY "Compile the sources of a folder together" OFF)

# More sources than this are divided into several batches, so that all cores have work to the end.
set(CLOAKROOM_UNITY_SOURCES 12)

# cloakroom_unite(target): the last step, when the target has its sources.
function(cloakroom_unite target)
  if(NOT CLOAKROOM_UNITY)
    return()
  endif()
  set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_MODE GROUP
    UNITY_BUILD_CODE_BEFORE_INCLUDE "// NOLINTNEXTLINE(bugprone-suspicious-include)")
  get_target_property(sources ${target} SOURCES)
  set(folders)
  foreach(source IN LISTS sources)
    file(RELATIVE_PATH folder ${CMAKE_SOURCE_DIR} ${source})
    get_filename_component(folder ${folder} DIRECTORY)
    string(MAKE_C_IDENTIFIER "${folder}" folder)
    list(APPEND folders ${folder})
    list(APPEND sources_of_${folder} ${source})
  endforeach()
  list(REMOVE_DUPLICATES folders)
  foreach(folder IN LISTS folders)
    list(LENGTH sources_of_${folder} count)
    math(EXPR batches "(${count} + ${CLOAKROOM_UNITY_SOURCES} - 1) / ${CLOAKROOM_UNITY_SOURCES}")
    set(index 0)
    foreach(source IN LISTS sources_of_${folder})
      math(EXPR batch "${index} * ${batches} / ${count}")
      set_source_files_properties(${source} PROPERTIES UNITY_GROUP "${folder}_${batch}")
      math(EXPR index "${index} + 1")
    endforeach()
  endforeach()
endfunction()
