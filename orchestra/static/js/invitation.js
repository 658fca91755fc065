// The code of an invitation stands behind the #, where no server's log sees it: into the form with it.
const field = document.getElementById("id_code");
const code = location.hash.slice(1);
if (code) {
  field.value = code;
  history.replaceState(null, "", location.pathname);
}
