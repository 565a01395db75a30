function o(t,n){const c=URL.createObjectURL(t),e=document.createElement("a");e.href=c,e.download=n,e.click(),URL.revokeObjectURL(c)}export{o as s};
