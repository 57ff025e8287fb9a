import { openStore, openDigests } from "./lib/store/mod.ts";
import { buildPlan, loadValue } from "./lib/pipeline/mod.ts";
import { correctLastLayers } from "./lib/correction/mod.ts";
import { createRandom, zeros, row, dot, norm } from "./lib/tensor/mod.ts";
const root=".";
const digests=openDigests(root+"/.cache");
const store=openStore(root+"/.cache");
for (const b of ["resnet18","vit_b_16"]) {
const plan=await buildPlan({root:Deno.cwd(),profile:"world",experiments:["table4"],backbones:[b],engine:"ort",device:"cpu"},{digests});
const nodes=[...plan.graph.values()];
const f:any=await loadValue(nodes.find(n=>n.id===`features ${b} imagenet train`||n.id===`features ${b} imagenet40 train`) as any,store);
const ft:any=await loadValue(nodes.find(n=>/^features (resnet18|vit_b_16) imagenet(40)? val/.test(n.id)) as any,store);
const l:any=await loadValue(nodes.find(n=>/^labels of imagenet(40)? train/.test(n.id)) as any,store);
const lt:any=await loadValue(nodes.find(n=>/^labels of imagenet(40)? val/.test(n.id)) as any,store);
const x=await f.take([0,1,2,3]); console.log(b, f.shape, "norm", norm(row(x,0)));
const lastLayer={weight:zeros([40,f.shape[1]]),bias:zeros([40])};
const base={learningRate:1e-3,epochs:20,batchSize:256,momentum:0.9,weightDecay:0,start:"zero"} as const;
const reqs=[[1e-3,20],[1e-2,20],[1e-2,100],[0.1,20],[0.1,100]].map(([learningRate,epochs])=>({correction:{id:"a",title:"a",base:"uniform_retraining",hyperparameters:{...base,learningRate,epochs}} as any,seed:0}));
const t0=performance.now();
for await (const {request,weight,bias,diagnostics} of correctLastLayers({features:f,labels:Int32Array.from(l.labels),lastLayer},reqs,{random:createRandom("correction")})) {
  const acc=async(ff:any,ll:any)=>{let c=0;const m=await ff.take(Array.from({length:ff.shape[0]},(_,i)=>i));for(let i=0;i<ff.shape[0];i++){let best=-1,bv=-Infinity;for(let k=0;k<40;k++){const v=dot(row(weight,k),row(m,i))+bias.data[k];if(v>bv){bv=v;best=k}}if(best===ll.labels[i])c++}return (100*c/ff.shape[0]).toFixed(2)};
  console.log(JSON.stringify((request.correction as any).hyperparameters.learningRate),(request.correction as any).hyperparameters.epochs,JSON.stringify(diagnostics), "train", await acc(f,l), ((performance.now()-t0)/1000).toFixed(1));
}}
